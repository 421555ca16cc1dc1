"""Templates are indented for their readers; browsers are spared the blanks. Removed once, when a template is loaded."""

import re

from django.template import Origin
from django.template.loaders.filesystem import Loader

INDENT = re.compile(r"\n\s*")


class Compact(Loader):
    """Our own templates without indentation. Not for `<pre>` or `<textarea>` with text in the template itself."""

    def get_contents(self, origin: Origin) -> str:
        text = str(super().get_contents(origin))
        return INDENT.sub("\n", text) if str(origin.template_name).endswith(".html") else text
