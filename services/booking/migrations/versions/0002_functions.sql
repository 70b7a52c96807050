-- How many of a resource are taken when: one row for each change of the level. Bookings that occupy, and what a change
-- of period that waits would take beyond its booking (at an instant of both, the greater of the two counts).
CREATE FUNCTION booked_levels(of_offer uuid, around tstzrange, but uuid) RETURNS TABLE (at timestamptz, level bigint)
LANGUAGE sql STABLE AS $$
    WITH taken AS (
        SELECT b.occupied * around AS span, b.quantity
        FROM bookings b
        WHERE b.offer_id = of_offer AND b.occupied && around AND b.id IS DISTINCT FROM but
          AND b.resource_origin IS NULL AND b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
        UNION ALL
        SELECT c.occupied * around, c.quantity FROM changes c
        WHERE c.offer_id = of_offer AND c.occupied && around AND c.booking_id IS DISTINCT FROM but
        UNION ALL
        SELECT c.occupied * b.occupied * around, -least(c.quantity, b.quantity)
        FROM changes c JOIN bookings b ON b.id = c.booking_id
        WHERE c.offer_id = of_offer AND c.occupied && around AND c.booking_id IS DISTINCT FROM but
          AND b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
    ), steps AS (
        SELECT lower(span) AS at, quantity AS delta FROM taken WHERE NOT isempty(span)
        UNION ALL SELECT upper(span), -quantity FROM taken WHERE NOT isempty(span)
    ), together AS (SELECT at, sum(delta) AS delta FROM steps GROUP BY at)
    SELECT at, (sum(delta) OVER (ORDER BY at))::bigint FROM together
$$


-- The most that is taken at any instant of `around`, without the booking `but` and its change.
CREATE FUNCTION booked_peak(of_offer uuid, around tstzrange, but uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT coalesce(max(level), 0) FROM booked_levels(of_offer, around, but) $$


-- Rule 1, for every capacity: whoever writes a row that occupies waits for the others of the same resource, sees them
-- all, and is refused when they would be too many. Only READ COMMITTED sees what was committed while it waited.
CREATE FUNCTION bookings_never_exceed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most integer;
    own_id uuid;
    own_peak bigint := NEW.quantity;
    others bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'bookings are written in READ COMMITTED' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    SELECT capacity INTO most FROM resources WHERE offer_id = NEW.offer_id FOR NO KEY UPDATE;
    IF most IS NULL THEN
        RAISE EXCEPTION 'no resource %', NEW.offer_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    own_id := CASE WHEN TG_TABLE_NAME = 'changes' THEN (to_jsonb(NEW) ->> 'booking_id')::uuid
                   ELSE (to_jsonb(NEW) ->> 'id')::uuid END;
    others := booked_peak(NEW.offer_id, NEW.occupied, own_id);
    IF others + own_peak > most THEN
        RAISE EXCEPTION 'more than % of % would be taken', most, NEW.offer_id
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'bookings_never_exceed', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$


CREATE TRIGGER bookings_never_exceed BEFORE INSERT OR UPDATE OF offer_id, occupied, quantity, status, exclusive, resource_origin
ON bookings FOR EACH ROW
WHEN (NEW.resource_origin IS NULL AND NEW.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue'))
EXECUTE FUNCTION bookings_never_exceed()


CREATE TRIGGER changes_never_exceed BEFORE INSERT OR UPDATE ON changes FOR EACH ROW
EXECUTE FUNCTION bookings_never_exceed()


-- Capacity cannot be lowered below what is booked.
CREATE FUNCTION capacity_covers_bookings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF booked_peak(NEW.offer_id, tstzrange(NULL, NULL), NULL) > NEW.capacity THEN
        RAISE EXCEPTION 'more than % of % are booked', NEW.capacity, NEW.offer_id
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'capacity_covers_bookings', TABLE = 'resources';
    END IF;
    RETURN NEW;
END $$


CREATE TRIGGER capacity_covers_bookings BEFORE UPDATE OF capacity ON resources FOR EACH ROW
WHEN (NEW.capacity < OLD.capacity) EXECUTE FUNCTION capacity_covers_bookings()
