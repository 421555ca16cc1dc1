"""Everything that faces people. The Celery application is loaded with the package, for tasks to find it."""
