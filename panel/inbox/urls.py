from django.urls import path

from panel.inbox import views

app_name = "inbox"
urlpatterns = [
    path("inbox/", views.home, name="home"),
    path("inbox/count/", views.count, name="count"),
    path("inbox/<int:pk>/open/", views.open_notice, name="open"),
    path("inbox/read/", views.read_all, name="read"),
    path("inbox/wanted/", views.wanted, name="wanted"),
]
