from django.urls import path

from panel.actions import views

app_name = "actions"
urlpatterns = [
    path("<int:pk>/actions/", views.menu, name="menu"),
    path("<int:pk>/do/<slug:kind>/", views.do, name="do"),
    path("<int:pk>/protect/", views.protect, name="protect"),
    path("<int:pk>/unprotect/", views.unprotect, name="unprotect"),
]
