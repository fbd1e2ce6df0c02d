-- One row per thing that came late: when what it is about happened, and when it came. The whole
-- history, because it teaches how long things take. A row that comes twice counts once, by its id.
SELECT
    'appeals' AS kind, CAST(appeals.appeal_id AS VARCHAR) AS arrival_id,
    actions.acted_at AS event_at, appeals.filed_at AS arrived_at
FROM appeals
JOIN actions ON actions.action_id = appeals.action_id
UNION ALL
SELECT
    'chargebacks' AS kind, CAST(chargebacks.chargeback_id AS VARCHAR) AS arrival_id,
    chargebacks.event_at, chargebacks.filed_at AS arrived_at
FROM chargebacks
UNION ALL
-- The labels of the incidents' cases, ...
SELECT
    'labels' AS kind,
    CAST(cases.item_id AS VARCHAR) || ' by ' || CAST(incident_audit.rater_id AS VARCHAR)
        AS arrival_id,
    cases.case_at AS event_at, incident_audit.labelled_at AS arrived_at
FROM incident_audit
JOIN incident_cases AS cases
    ON cases.incident_id = incident_audit.incident_id AND cases.item_id = incident_audit.item_id
UNION ALL
-- ... and those of other days, which wait in the same queue.
SELECT
    'labels' AS kind,
    CAST(labels.item_id AS VARCHAR) || ' by ' || CAST(labels.rater_id AS VARCHAR) AS arrival_id,
    scores.scored_at AS event_at, labels.labelled_at AS arrived_at
FROM labels
JOIN scores ON scores.item_id = labels.item_id
WHERE NOT EXISTS (
    SELECT 1
    FROM incident_log
    WHERE scores.scored_at >= incident_log.started_at
        AND scores.scored_at < incident_log.mitigated_at
)
