-- Randomness from (seed, stream, id) in integers alone: the same on any version of the
-- engine, any thread count, any machine. `seed` is a session variable.
--
-- fold: multiply 32 by 32 bits and add the halves without carry (as in wyhash).
CREATE TEMP MACRO fold(x, factor) AS
    xor((x * factor) >> 32, (x * factor) & 4294967295::UBIGINT);

-- Two 32-bit keys per stream, the first hexadecimal digits of an MD5: constants, so they are
-- worked out once per statement.
CREATE TEMP MACRO stream_key(stream, part) AS
    ('0x' || substr(md5(concat_ws('/', getvariable('seed'), stream)), 8 * part + 1, 8))::UBIGINT;

-- 32 random bits; id below 2^32.
CREATE TEMP MACRO bits(stream, id) AS
    fold(xor(
        fold(xor(
            fold(xor(
                id::UBIGINT,
                stream_key(stream, 0)), 2654435769::UBIGINT),
            stream_key(stream, 1)), 2246822519::UBIGINT),
        3266489917::UBIGINT), 3668339987::UBIGINT);

-- A whole number in [0, n); n below 2^32.
CREATE TEMP MACRO below(stream, id, n) AS
    ((bits(stream, id) * n::UBIGINT) >> 32)::BIGINT;

-- True for `ppm` ids in a million.
CREATE TEMP MACRO chance(stream, id, ppm) AS
    below(stream, id, 1000000) < ppm;

-- In [0, n) with density -ln x: most draws are near 0, the median at 0.19 n.
CREATE TEMP MACRO near_zero(stream, id, n) AS
    ((((bits(stream, id) * bits(stream || '+', id)) >> 32) * n::UBIGINT) >> 32)::BIGINT;

-- Bell-shaped around 0 with standard deviation 37,837: four 16-bit draws, centred.
CREATE TEMP MACRO bell(stream, id) AS
    (bits(stream, id) >> 16)::BIGINT + (bits(stream, id) & 65535)::BIGINT
    + (bits(stream || '+', id) >> 16)::BIGINT + (bits(stream || '+', id) & 65535)::BIGINT
    - 131070;

CREATE TEMP MACRO hex8(stream, id) AS
    printf('%08x', bits(stream, id));

CREATE TEMP MACRO at_hour(hour, seconds) AS
    getvariable('world_start') + to_seconds((hour * 3600 + seconds)::BIGINT);
