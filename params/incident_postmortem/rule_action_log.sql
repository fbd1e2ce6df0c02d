-- One row per rule action and delivery: the upstream sends some of them twice. The id tells which.
SELECT
    action_log.event_id,
    action_log.acted_at,
    action_log.market
FROM action_log
