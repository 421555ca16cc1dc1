from django.urls import path

from panel.fleet.saved import views

urlpatterns = [
    path("views/", views.home, name="views"),
    path("views/new/", views.save, name="save-view"),
    path("views/<int:pk>/rename/", views.rename, name="rename-view"),
    path("views/<int:pk>/delete/", views.delete, name="delete-view"),
    path("views/<int:pk>/up/", views.move_up, name="move-view"),
    path("columns/", views.set_columns, name="columns"),
]
