from django.urls import path

from panel.launch import views

app_name = "launch"
urlpatterns = [
    path("", views.ready, name="new"),
    path("own-size/", views.own, name="own"),
    path("types/", views.types, name="types"),
    path("quote/", views.quote, name="quote"),
    path("name/", views.name, name="name"),
]
