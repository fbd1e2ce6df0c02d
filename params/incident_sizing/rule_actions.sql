-- One row per action that a rule took, with the market of the account that it hit.
SELECT
    actions.action_id,
    actions.acted_at,
    accounts.market
FROM actions
JOIN accounts ON accounts.account_id = actions.account_id
WHERE actions.source = 'rule'
