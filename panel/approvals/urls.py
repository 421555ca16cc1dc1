from django.urls import path

from panel.approvals import views

app_name = "approvals"
urlpatterns = [
    path("activity/<uuid:pk>/answer/", views.answer, name="answer"),
    path("activity/<uuid:pk>/approve/", views.approve, name="approve"),
    path("activity/<uuid:pk>/reject/", views.reject, name="reject"),
]
