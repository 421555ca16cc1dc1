from django.apps import AppConfig


class BulkConfig(AppConfig):
    name = "panel.bulk"
