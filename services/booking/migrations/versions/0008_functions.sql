-- Decide on several bookings in one transaction, in the order in which they are given, each like bind_booking.
-- `asked`: an array of {"written", "line", "event", "under", "limit", "releases"}, the arguments of bind_booking. Answers
-- in the same order. All locks are taken first, in one order, so that two of these never wait for each other.
CREATE FUNCTION bind_bookings(asked jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    one jsonb;
    outcomes text[] := '{}';
    offer_ids uuid[] := ARRAY(SELECT DISTINCT (a -> 'written' ->> 'offer_id')::uuid FROM jsonb_array_elements(asked) a);
BEGIN
    PERFORM pg_advisory_xact_lock(borrower.key) FROM (
        SELECT DISTINCT hashtextextended('pending:' || coalesce(
            a -> 'written' ->> 'borrower_peer_id', a -> 'written' ->> 'borrower_member_id'), 0) AS key
        FROM jsonb_array_elements(asked) a WHERE a ->> 'limit' IS NOT NULL ORDER BY key
    ) borrower;
    PERFORM FROM resources r WHERE r.offer_id = ANY (offer_ids) ORDER BY r.offer_id FOR NO KEY UPDATE;
    FOR one IN SELECT value FROM jsonb_array_elements(asked) LOOP
        outcomes := outcomes || bind_booking(
            one -> 'written', nullif(one -> 'line', 'null'), nullif(one -> 'event', 'null'),
            (one ->> 'under')::bigint, (one ->> 'limit')::integer, (one ->> 'releases')::uuid);
    END LOOP;
    RETURN outcomes;
END $$
