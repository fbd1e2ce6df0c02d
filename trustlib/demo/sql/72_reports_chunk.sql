-- One report in four is about something that violates and was missed.
INSERT INTO reports
WITH made AS (
    SELECT e.*, coalesce(b.n, 0) AS missed_items, e.earlier + unnest(range(e.n)) + 1 AS report_id
    FROM exposure AS e LEFT JOIN missed_before AS b USING (hour, m)
    WHERE e.series = 'reports'
      AND e.hour >= getvariable('from_hour') AND e.hour < getvariable('to_hour')
),
aimed AS (
    SELECT *, CASE WHEN missed_items > 0 AND chance('report.aimed', report_id, 250000)
        THEN missed_items - near_zero('report.missed', report_id, least(missed_items, 200)) END
        AS missed_number
    FROM made
),
filed AS (
    SELECT
        report_id,
        coalesce(missed.item_id,
            (before - near_zero('report.item', report_id, greatest(last_two_days, 1))) * 8
            + aimed.m) AS item_id,
        (1 + below('report.reporter', report_id, accounts_at(aimed.m, hour))) * 8 + aimed.m
            AS reporter_id,
        missed.item_id IS NOT NULL AS bad,
        at_hour(hour, below('report.second', report_id, 3600)) AS reported_at
    FROM aimed
    LEFT JOIN missed ON missed.m = aimed.m AND missed.number = aimed.missed_number
)
SELECT
    filed.report_id, filed.item_id, filed.reporter_id,
    CASE WHEN filed.bad
        THEN ['spam', 'scam', 'scam', 'harassment', 'other'][
            1 + below('report.reason', filed.report_id, 5)]
        ELSE ['spam', 'harassment', 'dislike', 'dislike', 'other'][
            1 + below('report.reason', filed.report_id, 5)] END AS reason,
    filed.reported_at
FROM filed LEFT JOIN gone USING (item_id)
WHERE gone.acted_at IS NULL OR filed.reported_at < gone.acted_at
ORDER BY filed.report_id;
