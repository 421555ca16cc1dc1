from django.urls import path

from panel.health import views

app_name = "health"
urlpatterns = [
    path("health/", views.home, name="home"),
    path("healthz", views.alive, name="alive"),
    path("banners/", views.banners, name="banners"),
]
