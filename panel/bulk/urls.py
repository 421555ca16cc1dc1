from django.urls import path

from panel.bulk import views

app_name = "bulk"
urlpatterns = [
    path("do/<slug:kind>/", views.do, name="do"),
    path("<uuid:pk>/", views.run, name="run"),
    path("<uuid:pk>/undo/", views.undo, name="undo"),
]
