"""The record's guards on SQLite. Its triggers keep their text, so what is installed is compared word by word.

`IS NOT` instead of `<>`: a comparison with NULL must refuse as well. A delete trigger does not see what INSERT OR
REPLACE deletes; the insert triggers refuse that, for it never adds the next row.
"""

ENTRY_NO_UPDATE = """CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'The record is append-only: no row of it is changed.'); END"""

ENTRY_NO_DELETE = """CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'The record is append-only: no row of it is deleted.'); END"""

ENTRY_NEXT = """CREATE TRIGGER audit_entry_next BEFORE INSERT ON audit_entry
WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit_entry)
  OR NEW.previous_hash IS NOT coalesce((SELECT hash FROM audit_entry ORDER BY sequence DESC LIMIT 1),
    '0000000000000000000000000000000000000000000000000000000000000000')
BEGIN SELECT RAISE(ABORT, 'The record is append-only: only its next row is added.'); END"""

HEAD_NO_DELETE = """CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'The head of the record is not deleted.'); END"""

HEAD_BEGIN = """CREATE TRIGGER audit_head_begin BEFORE INSERT ON audit_head
WHEN NEW.id IS NOT 1 OR NEW.sequence IS NOT 0
  OR NEW.hash IS NOT '0000000000000000000000000000000000000000000000000000000000000000'
  OR EXISTS (SELECT 1 FROM audit_entry) OR EXISTS (SELECT 1 FROM audit_head)
BEGIN SELECT RAISE(ABORT, 'The head of the record begins once, at 0.'); END"""

HEAD_STEP = """CREATE TRIGGER audit_head_step BEFORE UPDATE ON audit_head
WHEN NEW.id IS NOT OLD.id OR NEW.sequence IS NOT OLD.sequence + 1
  OR NEW.hash IS NOT (SELECT hash FROM audit_entry WHERE sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'The head of the record only follows its newest row.'); END"""

CHECKPOINT_NO_UPDATE = """CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'A checkpoint of the record is not changed.'); END"""

CHECKPOINT_NO_DELETE = """CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'A checkpoint of the record is not deleted.'); END"""

CHECKPOINT_NEXT = """CREATE TRIGGER audit_checkpoint_next BEFORE INSERT ON audit_checkpoint
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM audit_checkpoint)
  OR NEW.sequence < (SELECT coalesce(max(sequence), 0) FROM audit_checkpoint)
  OR (NEW.sequence IS NOT 0 AND NEW.hash IS NOT (SELECT hash FROM audit_entry WHERE sequence = NEW.sequence))
BEGIN SELECT RAISE(ABORT, 'A checkpoint of the record is the next one and fits its row.'); END"""

TRIGGERS = (
    ENTRY_NO_UPDATE, ENTRY_NO_DELETE, ENTRY_NEXT, HEAD_NO_DELETE, HEAD_BEGIN, HEAD_STEP, CHECKPOINT_NO_UPDATE,
    CHECKPOINT_NO_DELETE, CHECKPOINT_NEXT,
)  # fmt: skip
DROPS = (
    "DROP TRIGGER IF EXISTS audit_entry_no_update",
    "DROP TRIGGER IF EXISTS audit_entry_no_delete",
    "DROP TRIGGER IF EXISTS audit_entry_next",
    "DROP TRIGGER IF EXISTS audit_head_no_delete",
    "DROP TRIGGER IF EXISTS audit_head_begin",
    "DROP TRIGGER IF EXISTS audit_head_step",
    "DROP TRIGGER IF EXISTS audit_checkpoint_no_update",
    "DROP TRIGGER IF EXISTS audit_checkpoint_no_delete",
    "DROP TRIGGER IF EXISTS audit_checkpoint_next",
)
FOUND = """SELECT name, tbl_name, sql FROM sqlite_master
WHERE type = 'trigger' AND tbl_name IN ('audit_entry', 'audit_head', 'audit_checkpoint')"""


def shape_of(create: str) -> tuple[str, tuple[str, ...]]:
    """The name of a trigger, and what FOUND says of it when it stands as written."""
    words = create.split()
    return words[2], (words[words.index("ON") + 1], create)
