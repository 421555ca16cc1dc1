from django.urls import include, path

from panel.fleet import views

app_name = "fleet"
urlpatterns = [
    path("", views.machines, name="list"),
    path("sums/", views.sums, name="sums"),
    path("", include("panel.fleet.saved.urls")),
    path("instances.csv", views.export, name="export"),
    path("<int:pk>/", views.machine, name="detail"),
    path("<int:pk>/readings/", views.readings, name="readings"),
]
