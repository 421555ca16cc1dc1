from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "cloud.operations"
    label = "operations"
