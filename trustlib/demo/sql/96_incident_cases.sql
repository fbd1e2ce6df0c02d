-- What a postmortem of either incident asks for beyond the sizing: the log of rule actions as the
-- upstream delivered it, who an account belongs to, and the cases: every item that the incident
-- may have hit, most of them rightly or not at all. No row of an earlier table changes.
--
-- Most rows of the log came once; during the over-blocking the upstream was busy and sent some
-- twice or three times. event_id = action_id.
CREATE TABLE action_log AS
WITH sent AS (
    SELECT a.action_id, a.item_id, a.account_id, accounts.market, a.acted_at,
           1 + CASE WHEN chance('log.again', a.action_id,
                                CASE WHEN i.incident_id IS NULL THEN 2000 ELSE 30000 END)
               THEN 1 + chance('log.thrice', a.action_id, 300000)::INTEGER ELSE 0 END AS copies
    FROM actions AS a
    JOIN accounts ON accounts.account_id = a.account_id
    LEFT JOIN truth.incidents AS i ON i.kind = 'over_blocking'
        AND a.acted_at >= i.started_at AND a.acted_at < i.ended_at
    WHERE a.source = 'rule'
)
SELECT action_id AS event_id, action_id, item_id, account_id, market, acted_at
FROM (SELECT *, unnest(range(copies)) AS copy FROM sent)
ORDER BY acted_at, action_id, copy;

-- Accounts that sell belong to customers, who have one to five of them: ten customers share 21.
CREATE TABLE customers AS
WITH sellers AS (
    SELECT account_id,
           row_number() OVER (ORDER BY bits('customer.order', account_id), account_id) - 1 AS place
    FROM accounts WHERE segment IN ('business', 'creator')
)
SELECT account_id, place // 21 * 10 + [1, 2, 3, 4, 5, 6, 6, 7, 7, 8, 8, 8, 9, 9, 9, 9,
                                       10, 10, 10, 10, 10][place % 21 + 1] AS customer_id
FROM sellers ORDER BY account_id;

-- Over-blocking: whatever a rule did in the window, in any market. `planted`: the incident's own.
CREATE TEMP TABLE cases AS
SELECT i.incident_id, 'over' AS side, a.item_id, a.acted_at AS case_at,
       items.url_domain IS NOT NULL AND a.item_id % 8 IN (SELECT m FROM hit WHERE over) AS suspect,
       bad.item_id IS NOT NULL AS violating,
       wrong.item_id IS NOT NULL AS planted,
       items.url_domain IS NOT NULL AS linked
FROM truth.incidents AS i
JOIN actions AS a ON a.acted_at >= i.started_at AND a.acted_at < i.ended_at
JOIN items ON items.item_id = a.item_id
LEFT JOIN truth.violating_items AS bad ON bad.item_id = a.item_id
LEFT JOIN truth.wrongly_actioned AS wrong ON wrong.item_id = a.item_id
WHERE i.kind = 'over_blocking' AND a.source = 'rule';

-- Under-blocking: a case is dated at the moment when the rules would have taken it. A replay of
-- the repaired rules sees 95 % of what they should have taken, and takes some that do no harm
-- (suspects); beside them what it does not see, and some of the rest, which a draw brought up.
INSERT INTO cases
WITH spared AS (
    SELECT item_id, would_have_acted_at AS case_at FROM truth.not_actioned
    UNION ALL
    SELECT item_id, created_at FROM truth.wave_items
),
rest AS (
    SELECT items.item_id, items.created_at + to_seconds(rule_delay(items.item_id)) AS case_at,
           bad.item_id IS NOT NULL AS violating,
           bad.item_id IS NULL AND chance('replay.false', items.item_id, 25000) AS suspect
    FROM items
    LEFT JOIN truth.violating_items AS bad ON bad.item_id = items.item_id
    WHERE items.item_id % 8 IN (SELECT m FROM hit WHERE NOT over)
      AND items.item_id NOT IN (SELECT item_id FROM actions WHERE source = 'rule')
      AND items.item_id NOT IN (SELECT item_id FROM spared)
),
ordered AS (
    SELECT rest.*, row_number() OVER (
        PARTITION BY suspect ORDER BY bits('case.rest', item_id), item_id) AS place
    FROM rest JOIN truth.incidents AS i ON i.kind = 'under_blocking'
        AND rest.case_at >= i.started_at AND rest.case_at < i.ended_at
)
SELECT i.incident_id, 'under', found.item_id, found.case_at, found.suspect, found.violating,
       found.planted, items.url_domain IS NOT NULL
FROM (
    SELECT item_id, case_at, chance('replay.sees', item_id, 950000) AS suspect, true AS violating,
           true AS planted FROM spared
    UNION ALL
    SELECT item_id, case_at, suspect, violating, false FROM ordered
    WHERE suspect OR place <= getvariable('case_rest')
) AS found
JOIN items ON items.item_id = found.item_id
JOIN truth.incidents AS i ON i.kind = 'under_blocking';

-- Cents from 1 to 256 dollars, most of them few: as many doublings as seven fair coins show heads.
CREATE TEMP MACRO cents(stream, id) AS
    [1, 2, 4, 8, 16, 32, 64, 128][1 + bit_count(bits(stream, id) & 127)]
    * (100 + below(stream || '+', id, 100));

-- Disputed payments that a missed item led to.
CREATE TEMP MACRO claims_of(item_id) AS
    [0, 0, 1, 1, 2][1 + below('case.claims', item_id, 5)];

-- How strong the trigger is: with a link 1 to 4, most of all what the incident took or let pass.
CREATE TEMP MACRO dose_of(item_id, linked, planted) AS
    CASE WHEN NOT linked THEN 0
         WHEN planted THEN [1, 2, 2, 3, 3, 3, 4, 4, 4, 4][1 + below('case.dose', item_id, 10)]
         ELSE [1, 1, 1, 1, 2, 2, 2, 3, 3, 4][1 + below('case.dose', item_id, 10)] END;

CREATE TABLE incident_cases AS
WITH put_right AS (
    -- Appeals that were won, ...
    SELECT 'over' AS side, actions.item_id, min(decided_at) AS done_at
    FROM appeals JOIN actions USING (action_id)
    WHERE outcome = 'overturned' AND source = 'rule' GROUP BY actions.item_id
    UNION ALL  -- ... a reversal in bulk, from 16 hours after the end to 48, ...
    SELECT side, item_id, i.ended_at + to_seconds(57600 + below('case.reversal', item_id, 115200))
    FROM cases JOIN truth.incidents AS i USING (incident_id)
    WHERE side = 'over' AND suspect AND NOT violating AND chance('case.reversed', item_id, 600000)
    UNION ALL  -- ... and the clean-up, which is on record for two in three.
    SELECT 'under', item_id, acted_at
    FROM actions JOIN (
        SELECT item_id FROM truth.not_actioned UNION ALL SELECT item_id FROM truth.wave_items
    ) USING (item_id)
    WHERE source = 'review' AND chance('case.recorded', item_id, 650000)
),
owned AS (
    SELECT
        cases.*, items.account_id, customers.customer_id, accounts.market, accounts.segment,
        done.resolved_at
    FROM cases
    JOIN items ON items.item_id = cases.item_id
    JOIN accounts ON accounts.account_id = items.account_id
    LEFT JOIN customers ON customers.account_id = items.account_id
    LEFT JOIN (SELECT side, item_id, min(done_at) AS resolved_at FROM put_right GROUP BY ALL) AS done
        ON done.side = cases.side AND done.item_id = cases.item_id
),
priced AS (
    SELECT
        *,
        CASE WHEN side = 'under'
            -- disputed payments, none to two
            THEN claims_of(item_id) * cents('case.loss', item_id)
            -- sales lost while the post was down
            ELSE cents('case.loss', item_id) * CASE segment
                WHEN 'casual' THEN 20 WHEN 'regular' THEN 30 WHEN 'creator' THEN 70 ELSE 150 END // 100
        END AS gross_cents
    FROM owned
)
SELECT
    incident_id, item_id, case_at, side = 'over' AS actioned, suspect, account_id,
    customer_id, market, dose_of(item_id, linked, planted) AS dose, gross_cents / 100 AS gross_usd,
    CASE WHEN side = 'under' THEN gross_cents * below('case.back', item_id, 60) // 100
         WHEN resolved_at IS NULL THEN 0
         ELSE gross_cents * (20 + below('case.back', item_id, 60)) // 100 END / 100
        AS recovered_usd,
    resolved_at
FROM priced
ORDER BY case_at, item_id;
