from django.urls import path

from panel.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.accounts, name="list"),
    path("accounts/add/", views.add, name="add"),
    path("accounts/<int:pk>/key/", views.replace_key, name="replace-key"),
    path("accounts/<int:pk>/test/", views.test, name="test"),
    path("accounts/<int:pk>/disable/", views.disable, name="disable"),
    path("accounts/<int:pk>/enable/", views.enable, name="enable"),
    path("accounts/<int:pk>/missing/", views.confirm_missing, name="confirm-missing"),
]
