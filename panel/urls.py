"""Every address of the panel. `/live` is served before Django (panel/asgi.py)."""

from django.urls import include, path

from panel.teams.joining import invitation

urlpatterns = [
    path("", include("panel.overview.urls")),
    path("", include("panel.people.urls")),
    path("", include("panel.health.urls")),
    path("instances/", include("panel.fleet.urls")),
    path("instances/", include("panel.actions.urls")),
    path("instances/bulk/", include("panel.bulk.urls")),
    path("launch/", include("panel.launch.urls")),
    path("", include("panel.activity.urls")),
    path("", include("panel.find.urls")),
    path("", include("panel.approvals.urls")),
    path("", include("panel.teams.urls")),
    path("invitation/<str:secret>/", invitation, name="invitation"),
    path("", include("panel.inbox.urls")),
    path("record/", include("panel.audit.urls")),
    path("settings/", include("panel.accounts.urls")),
]

handler404 = "panel.http.not_found"
handler403 = "panel.http.refused"
handler500 = "panel.http.broken"
