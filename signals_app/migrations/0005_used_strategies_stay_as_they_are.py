"""A strategy that has made a signal keeps its name, version and parameters, whoever writes."""

from django.db import migrations

KEEP = """
CREATE FUNCTION keep_used_strategy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.name, NEW.version, NEW.parameters) IS DISTINCT FROM
       (OLD.name, OLD.version, OLD.parameters)
       AND EXISTS (SELECT 1 FROM signals WHERE strategy_id = OLD.id)
    THEN
        RAISE EXCEPTION '% v% has made signals and stays as it is; a change is a new version.',
            OLD.name, OLD.version USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_used_strategy BEFORE UPDATE ON strategies
    FOR EACH ROW EXECUTE FUNCTION keep_used_strategy();
"""
FORGET = """
DROP TRIGGER keep_used_strategy ON strategies;
DROP FUNCTION keep_used_strategy();
"""


class Migration(migrations.Migration):
    dependencies = [("signals_app", "0004_measured_probabilities")]
    operations = [migrations.RunSQL(KEEP, FORGET)]
