from django.urls import path

from panel.teams import giving_views, people_views, roles_views, views

app_name = "teams"
urlpatterns = [
    path("teams/", views.home, name="home"),
    path("teams/new/", views.new, name="new"),
    path("teams/<int:pk>/", views.team, name="team"),
    path("teams/<int:pk>/rename/", views.rename, name="rename"),
    path("teams/<int:pk>/rules/", views.rules_of, name="rules"),
    path("teams/<int:pk>/invite/", views.invite, name="invite"),
    path("teams/<int:pk>/keys/add/", views.add_key, name="key-add"),
    path("teams/keys/<int:pk>/remove/", views.remove_key, name="key-remove"),
    path("teams/invitations/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("teams/members/<int:pk>/role/", views.role, name="role"),
    path("teams/members/<int:pk>/remove/", views.remove, name="remove"),
    path("teams/members/<int:pk>/leave/", views.leave, name="leave"),
    path("teams/give/", giving_views.give, name="give"),
    path("roles/", roles_views.roles, name="roles"),
    path("people/", people_views.people_list, name="people"),
    path("people/<int:pk>/disable/", people_views.disable, name="disable"),
    path("people/<int:pk>/enable/", people_views.enable, name="enable"),
    path("people/<int:pk>/administrator/", people_views.administrator, name="administrator"),
]
