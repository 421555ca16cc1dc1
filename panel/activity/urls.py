from django.urls import path

from panel.activity import views

app_name = "activity"
urlpatterns = [
    path("activity/", views.home, name="home"),
    path("activity/count/", views.count, name="count"),
    path("activity/<uuid:pk>/", views.operation, name="operation"),
    path("activity/<uuid:pk>/undo/", views.undo, name="undo"),
    path("activity/<uuid:pk>/retry/", views.retry, name="retry"),
    path("activity/<uuid:pk>/settle/", views.settle, name="settle"),
    path("activity/<uuid:pk>/put-aside/", views.put_aside, name="put-aside"),
    path("provider-tasks/", views.provider_tasks, name="provider-tasks"),
]
