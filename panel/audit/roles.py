def after_migrations(**_signal: object) -> None:
    pass
