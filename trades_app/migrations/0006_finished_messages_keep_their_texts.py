"""Messages from before keep their texts; what else their texts and kinds say moves to columns.

The digest of a report is read out of its text here, and nowhere else.
"""

from django.db import migrations

FORWARD = r"""
UPDATE outbox SET addressee = 'OPERATORS' WHERE kind = 'ALERT';
UPDATE outbox
   SET digest = coalesce(substring(text from '(?n)^🔗 Record: ([0-9a-f]{64})$'), '')
 WHERE kind = 'REPORT';
"""
#: The code before could not send what holds no text.
BACKWARD = """
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM outbox WHERE text = '') THEN
        RAISE EXCEPTION 'There are messages without a text of their own: the versions before '
            'cannot send them. Restore a backup to go back.';
    END IF;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("trades_app", "0005_messages_hold_data")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
