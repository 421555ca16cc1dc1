from django.urls import path

from panel.activity import views

app_name = "activity"
urlpatterns = [path("", views.provider_tasks, name="provider-tasks")]
