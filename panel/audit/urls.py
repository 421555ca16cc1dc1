from django.urls import path

from panel.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.home, name="home"),
    path("export/<str:form>/", views.export, name="export"),
    path("check/", views.check, name="check"),
]
