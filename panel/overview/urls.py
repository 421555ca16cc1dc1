from django.urls import path

from panel.overview import views

app_name = "overview"
urlpatterns = [
    path("", views.home, name="home"),
    path("first-steps/end/", views.end_tour, name="end-tour"),
]
