from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "panel.live"

    def ready(self) -> None:
        """Hands the cloud its way up, and Celery its application, once a process."""
        from cloud import ports  # noqa: PLC0415 -- models must be loaded first
        from panel import celery  # noqa: F401, PLC0415
        from panel.ports import PORTS  # noqa: PLC0415

        ports.install(PORTS)
