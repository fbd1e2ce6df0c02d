-- Appeals against any action, by some: who was wronged, and who sells, appeals more often. A
-- decision takes days; the newest are open. appeal_id = action_id.
CREATE TEMP TABLE appeals_to_come AS  -- whenever filed, after the world's end too
WITH judged AS (
    SELECT
        a.action_id, a.acted_at, accounts.segment IN ('business', 'creator') AS sells,
        CASE WHEN a.source LIKE 'scam%' THEN scam.item_id IS NOT NULL
             ELSE spam.item_id IS NOT NULL OR a.item_id % 8 = 7 END AS deserved,
        a.action_id % 4294967291 AS entry
    FROM actions AS a
    LEFT JOIN truth.scam_items AS scam ON scam.item_id = a.item_id
    LEFT JOIN truth.violating_items AS spam ON spam.item_id = a.item_id
    LEFT JOIN accounts ON accounts.account_id = a.account_id
)
SELECT *, acted_at + to_seconds(3600 + near_zero('appeal.delay', entry, 864000)) AS filed_at
FROM judged
WHERE chance('appeal.filed', entry, CASE WHEN deserved THEN 30000 ELSE 150000 END
                                    * CASE WHEN sells THEN 2 ELSE 1 END);

CREATE TABLE appeals AS
WITH decided AS (
    SELECT *, filed_at + to_seconds(86400 + near_zero('appeal.decision', entry, 1209600)) AS answered_at
    FROM appeals_to_come WHERE filed_at < at_hour(getvariable('hours'), 0)
)
SELECT
    action_id AS appeal_id, action_id, filed_at,
    CASE WHEN answered_at >= at_hour(getvariable('hours'), 0) THEN NULL
         WHEN chance('appeal.outcome', entry, CASE WHEN deserved THEN 60000 ELSE 850000 END)
         THEN 'overturned' ELSE 'upheld' END AS outcome,
    CASE WHEN answered_at < at_hour(getvariable('hours'), 0) THEN answered_at END AS decided_at
FROM decided
ORDER BY filed_at, appeal_id;

-- What changed in how things are measured: a move of a number on such a day may be no more.
CREATE TABLE instrument_changes AS
SELECT at_hour(hour, 0) AS changed_at, instrument, note
FROM (VALUES
    (model_hour(), 'model', 'Scam classifier 2 replaces 1: scores are on another scale'),
    (guideline_hour(), 'labelling', 'Guideline 2 names kinds of scam that raters let pass before'),
    (sampling_hour(), 'sampling', 'Labels moved from low scores to high ones')
) AS t(hour, instrument, note)
ORDER BY changed_at;

CREATE TABLE truth.abuse_facts AS
SELECT
    market_name(growing_market()) AS growing_market, growing_kind() AS growing_kind,
    at_hour(growing_hour(), 0) AS growing_since,
    at_hour(guideline_hour(), 0) AS guideline_at,
    sensitivity_before_permille() * 1000 AS sensitivity_before_ppm,
    at_hour(drift_hour(), 0) AS drift_at;
