"""The record's guards on PostgreSQL: row triggers, and statement triggers because TRUNCATE passes row triggers by.

Every name is qualified and each function has a search path of its own, the temporary schema last: otherwise a session
could put a temporary table of the same name in front of the record. All tables stand in the schema `public`.
"""

from typing import Any

REFUSE = """CREATE OR REPLACE FUNCTION public.audit_refuse() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
  RAISE EXCEPTION 'The record is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME USING ERRCODE = '23000';
END $body$"""

ENTRY_NEXT = """CREATE OR REPLACE FUNCTION public.audit_entry_next() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
  IF NEW.sequence IS DISTINCT FROM (SELECT coalesce(max(sequence), 0) + 1 FROM public.audit_entry)
    OR NEW.previous_hash IS DISTINCT FROM coalesce(
      (SELECT hash FROM public.audit_entry ORDER BY sequence DESC LIMIT 1), repeat('0', 64))
  THEN
    RAISE EXCEPTION 'The record is append-only: only its next row is added.' USING ERRCODE = '23000';
  END IF;
  RETURN NEW;
END $body$"""

HEAD_BEGIN = """CREATE OR REPLACE FUNCTION public.audit_head_begin() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
  IF NEW.id IS DISTINCT FROM 1 OR NEW.sequence IS DISTINCT FROM 0 OR NEW.hash IS DISTINCT FROM repeat('0', 64)
    OR EXISTS (SELECT 1 FROM public.audit_entry) OR EXISTS (SELECT 1 FROM public.audit_head)
  THEN
    RAISE EXCEPTION 'The head of the record begins once, at 0.' USING ERRCODE = '23000';
  END IF;
  RETURN NEW;
END $body$"""

HEAD_STEP = """CREATE OR REPLACE FUNCTION public.audit_head_step() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
  IF NEW.id IS DISTINCT FROM OLD.id OR NEW.sequence IS DISTINCT FROM OLD.sequence + 1
    OR NEW.hash IS DISTINCT FROM (SELECT hash FROM public.audit_entry WHERE sequence = NEW.sequence)
  THEN
    RAISE EXCEPTION 'The head of the record only follows its newest row.' USING ERRCODE = '23000';
  END IF;
  RETURN NEW;
END $body$"""

CHECKPOINT_NEXT = """CREATE OR REPLACE FUNCTION public.audit_checkpoint_next() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $body$
BEGIN
  IF NEW.number IS DISTINCT FROM (SELECT coalesce(max(number), 0) + 1 FROM public.audit_checkpoint)
    OR NEW.sequence < (SELECT coalesce(max(sequence), 0) FROM public.audit_checkpoint)
    OR (NEW.sequence <> 0
      AND NEW.hash IS DISTINCT FROM (SELECT hash FROM public.audit_entry WHERE sequence = NEW.sequence))
  THEN
    RAISE EXCEPTION 'A checkpoint of the record is the next one and fits its row.' USING ERRCODE = '23000';
  END IF;
  RETURN NEW;
END $body$"""

FUNCTIONS = {
    "audit_refuse": REFUSE,
    "audit_entry_next": ENTRY_NEXT,
    "audit_head_begin": HEAD_BEGIN,
    "audit_head_step": HEAD_STEP,
    "audit_checkpoint_next": CHECKPOINT_NEXT,
}

TRIGGERS = (
    """CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON public.audit_entry
FOR EACH ROW EXECUTE FUNCTION public.audit_refuse()""",
    """CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON public.audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse()""",
    """CREATE TRIGGER audit_entry_next BEFORE INSERT ON public.audit_entry
FOR EACH ROW EXECUTE FUNCTION public.audit_entry_next()""",
    """CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON public.audit_head
FOR EACH ROW EXECUTE FUNCTION public.audit_refuse()""",
    """CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON public.audit_head
FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse()""",
    """CREATE TRIGGER audit_head_begin BEFORE INSERT ON public.audit_head
FOR EACH ROW EXECUTE FUNCTION public.audit_head_begin()""",
    """CREATE TRIGGER audit_head_step BEFORE UPDATE ON public.audit_head
FOR EACH ROW EXECUTE FUNCTION public.audit_head_step()""",
    """CREATE TRIGGER audit_checkpoint_no_change BEFORE UPDATE OR DELETE ON public.audit_checkpoint
FOR EACH ROW EXECUTE FUNCTION public.audit_refuse()""",
    """CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON public.audit_checkpoint
FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse()""",
    """CREATE TRIGGER audit_checkpoint_next BEFORE INSERT ON public.audit_checkpoint
FOR EACH ROW EXECUTE FUNCTION public.audit_checkpoint_next()""",
)

DROPS = (
    "DROP TRIGGER IF EXISTS audit_entry_no_change ON public.audit_entry",
    "DROP TRIGGER IF EXISTS audit_entry_no_truncate ON public.audit_entry",
    "DROP TRIGGER IF EXISTS audit_entry_next ON public.audit_entry",
    "DROP TRIGGER IF EXISTS audit_head_no_delete ON public.audit_head",
    "DROP TRIGGER IF EXISTS audit_head_no_truncate ON public.audit_head",
    "DROP TRIGGER IF EXISTS audit_head_begin ON public.audit_head",
    "DROP TRIGGER IF EXISTS audit_head_step ON public.audit_head",
    "DROP TRIGGER IF EXISTS audit_checkpoint_no_change ON public.audit_checkpoint",
    "DROP TRIGGER IF EXISTS audit_checkpoint_no_truncate ON public.audit_checkpoint",
    "DROP TRIGGER IF EXISTS audit_checkpoint_next ON public.audit_checkpoint",
)

# Bits of pg_trigger.tgtype (PostgreSQL's src/include/catalog/pg_trigger.h).
ROW, BEFORE, INSERT, DELETE, UPDATE, TRUNCATE = 1, 2, 4, 8, 16, 32
# A condition, columns or arguments would make a guard look away; `D` is switched off, `R` fires for replicas alone.
FOUND = """SELECT t.tgname, c.relname, t.tgtype, t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL
  AND t.tgnargs = 0 AND t.tgattr::text = '', n.nspname || '.' || p.proname, p.proconfig, p.prosrc
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
  AND c.relname IN ('audit_entry', 'audit_head', 'audit_checkpoint')
UNION ALL
SELECT r.rulename, r.tablename, 0, false, 'a rule', NULL, r.definition FROM pg_catalog.pg_rules r
WHERE r.schemaname = 'public' AND r.tablename IN ('audit_entry', 'audit_head', 'audit_checkpoint')"""

Shape = tuple[Any, ...]


def shape_of(create: str) -> tuple[str, Shape]:
    """The name of a trigger, and what FOUND says of it when it stands as written."""
    words = create.split()
    name, function = words[2], words[-1].removesuffix("()")
    kinds = {"INSERT": INSERT, "DELETE": DELETE, "UPDATE": UPDATE, "TRUNCATE": TRUNCATE, "ROW": ROW, "BEFORE": BEFORE}
    table = words[words.index("ON") + 1].removeprefix("public.")
    body = FUNCTIONS[function.removeprefix("public.")].split("$body$")[1]
    bits = sum(kinds.get(word, 0) for word in words)
    return name, (table, bits, True, function, ["search_path=pg_catalog, public, pg_temp"], body)
