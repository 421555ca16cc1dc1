"""The door: allauth's views at addresses of ours. What allauth also offers and we do not is absent."""

from allauth.account import views as door
from django.urls import path, re_path

from panel.http import public, signed_in
from panel.people import profile, views

urlpatterns = [
    path("sign-in/", public(door.login), name="account_login"),
    path("sign-out/", public(door.logout), name="account_logout"),
    path("no-access/", views.inactive, name="account_inactive"),
    path("password/forgotten/", public(door.password_reset), name="account_reset_password"),
    path("password/forgotten/sent/", public(door.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        public(views.NewPassword.as_view()),
        name="account_reset_password_from_key",
    ),
    path("password/new/done/", views.new_password_set, name="account_reset_password_from_key_done"),
    path("you/", profile.you, name="you"),
    path("you/password/", signed_in(views.ChangedPassword.as_view()), name="account_change_password"),
    path("you/theme/", profile.theme, name="you-theme"),
    path("you/zone/", profile.zone, name="you-zone"),
    path("you/keys/add/", profile.add_key, name="you-key-add"),
    path("you/keys/<int:pk>/remove/", profile.remove_key, name="you-key-remove"),
    path("you/sessions/<int:pk>/end/", profile.end_session, name="you-session-end"),
    path("you/sessions/end/", profile.end_sessions, name="you-sessions-end"),
]
