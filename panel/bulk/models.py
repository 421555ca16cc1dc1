"""One run: the same action asked for on many machines at once."""

from django.db import models

from cloud.operations.models import uuid7


class Run(models.Model):
    """What somebody asked for. What became of it is told by the operations that carry its id (Operation.batch_id).

    `refused` keeps the machines that did not get it, as choice.Refused: no operation tells of them.
    """

    id = models.CharField(primary_key=True, max_length=36, default=uuid7, editable=False)
    client_key = models.CharField(max_length=64)  # of the form: sent twice, it is one run
    body_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=32)
    actor_id = models.BigIntegerField()
    actor_label = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    refused = models.JSONField(default=list)
    retry_of = models.CharField(max_length=36, blank=True)  # the run whose failed ones are tried again

    class Meta:
        constraints = [models.UniqueConstraint(fields=("actor_id", "client_key"), name="run_once_a_form")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor_label}"
