-- Accounts: seven in ten are older than the world's first hour. Within a market they are
-- numbered by age, so how many exist at an hour needs no look-up.
-- account_id = number * 8 + market; the remainders 6 and 7 are kept for what is planted.
-- Wide on purpose: inside a macro the engine may take a variable for 32 bits, and the large
-- world's products are not.
CREATE TEMP MACRO market_accounts(m) AS
    greatest(getvariable('accounts')::BIGINT * share(m) // 1000, 20)::BIGINT;

CREATE TEMP MACRO accounts_at(m, hour) AS
    greatest(market_accounts(m) * 7 // 10
             + market_accounts(m) * 3 * hour // (10 * getvariable('hours')), 1);

CREATE TABLE accounts AS
WITH numbered AS (
    SELECT m, market_accounts(m) AS n, unnest(range(market_accounts(m))) + 1 AS number FROM markets
),
identified AS (
    SELECT *, number * 8 + m AS account_id, n * 7 // 10 AS old FROM numbered
)
SELECT
    account_id::BIGINT AS account_id,
    CASE WHEN number <= old
        -- two years, oldest first
        THEN getvariable('world_start') - to_seconds(((old - number + 1) * 63072000 // old)::BIGINT)
        ELSE at_hour(0, (number - old - 1) * getvariable('hours') * 3600 // (n - old))
    END AS created_at,
    market_name(m) AS market,
    CASE WHEN below('account.segment', account_id, 100) < 70 THEN 'casual'
         WHEN below('account.segment', account_id, 100) < 90 THEN 'regular'
         WHEN below('account.segment', account_id, 100) < 98 THEN 'creator'
         ELSE 'business' END AS segment,
    -- A few people share a device or a card, many an address block.
    'dev_' || hex8('device', account_id - CASE WHEN chance('device.shared', account_id, 60000)
        AND number > 1 THEN 8 ELSE 0 END) AS device_hash,
    'ipb_' || hex8('ip', below('account.ip', account_id, n // 6 + 1) * 8 + m) AS ip_block,
    CASE WHEN chance('account.pays', account_id, 350000) THEN
        'pay_' || hex8('payment', account_id - CASE WHEN chance('payment.shared', account_id, 40000)
            AND number > 1 THEN 8 ELSE 0 END)
    END AS payment_hash
FROM identified
ORDER BY account_id;
