"""What one person keeps of the list of machines. People are named by a plain column, as everywhere."""

from django.db import models


class SavedView(models.Model):
    """Filter, search and order under a name, as the address of the list, and the columns that it does not show.

    The row without a name is the whole list: it has no address and keeps its columns alone.
    """

    user_id = models.BigIntegerField()
    name = models.CharField(max_length=40, blank=True)
    query = models.CharField(max_length=1000, blank=True)  # as listing.Wish.address() writes it, without the "?"
    hidden = models.JSONField(default=list)  # names of columns.COLUMNS
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        # Its index also finds the views of one person.
        constraints = [models.UniqueConstraint(fields=("user_id", "name"), name="view_once_a_person")]
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name
