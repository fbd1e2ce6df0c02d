-- Experts look at a sample of the cases, suspects and others drawn apart; their answer is right.
-- The label waits in the queue where the labels of 88_labels.sql wait, and as long.
CREATE TEMP TABLE audit_to_come AS  -- whenever labelled, after the world's end too
SELECT
    *, case_at + to_seconds(86400 + near_zero('case.label.delay', item_id, 1036800)) AS labelled_at
FROM (
    SELECT *, CASE WHEN (side = 'over') = suspect THEN 500000 ELSE 600000 END AS ppm FROM cases
)
WHERE chance('case.label', item_id, ppm);

CREATE TABLE incident_audit AS
SELECT incident_id, item_id, violating::INTEGER AS label, ppm / 1000000 AS inclusion_probability,
       (raters() + 1 + below('case.rater', item_id, 4))::INTEGER AS rater_id, labelled_at
FROM audit_to_come
WHERE labelled_at < at_hour(getvariable('hours'), 0)
ORDER BY labelled_at, item_id;

-- What is true of each case. `planted`: what the incident took or let pass; the rest are the rules'
-- ordinary hits, mistakes and misses.
CREATE TABLE truth.incident_cases AS
SELECT incident_id, item_id, side, violating, (side = 'over') <> violating AS wrong, planted
FROM cases ORDER BY incident_id, item_id;

-- What comes after the world's end, about what happened before.
CREATE TABLE truth.late_labels AS
SELECT incident_id, item_id, case_at AS event_at, labelled_at AS arrived_at FROM audit_to_come
WHERE labelled_at >= at_hour(getvariable('hours'), 0) ORDER BY arrived_at, item_id;

CREATE TABLE truth.late_appeals AS
SELECT action_id, acted_at AS event_at, filed_at AS arrived_at FROM appeals_to_come
WHERE filed_at >= at_hour(getvariable('hours'), 0) ORDER BY arrived_at, action_id;
