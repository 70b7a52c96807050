-- Something of a resource may have become free, or its rules have changed: its waiting list, if there is one, is handed
-- out soon. Every way in which a place is given back passes here, by whatever code. What is kept for the line itself
-- is given back by the code of the line, which hands it on in the same transaction.
-- A mark that is there already is locked: who hands out, or tells, and takes the mark away, waits for us and looks again.
CREATE FUNCTION note_places_freed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_offer uuid;
BEGIN
    IF TG_TABLE_NAME = 'offers' THEN
        of_offer := OLD.id;
    ELSE
        of_offer := OLD.offer_id;
    END IF;
    IF EXISTS (SELECT 1 FROM waiting w WHERE w.offer_id = of_offer AND w.status IN ('waiting', 'offered')) THEN
        INSERT INTO places_freed AS marked VALUES (of_offer, clock_timestamp())
        ON CONFLICT (offer_id) DO UPDATE SET since = marked.since;
        PERFORM wake('places');
    END IF;
    RETURN NULL;
END $$


CREATE TRIGGER bookings_free_places AFTER UPDATE OF occupied, quantity, status ON bookings FOR EACH ROW
WHEN (OLD.resource_origin IS NULL AND OLD.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
    AND (NEW.status NOT IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
        OR NEW.occupied IS DISTINCT FROM OLD.occupied OR NEW.quantity < OLD.quantity))
EXECUTE FUNCTION note_places_freed()


CREATE TRIGGER bookings_gone_free_places AFTER DELETE ON bookings FOR EACH ROW
WHEN (OLD.resource_origin IS NULL AND OLD.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
    AND NOT (OLD.status = 'held' AND OLD.waiting_id IS NOT NULL))
EXECUTE FUNCTION note_places_freed()


CREATE TRIGGER changes_free_places AFTER UPDATE OR DELETE ON changes FOR EACH ROW EXECUTE FUNCTION note_places_freed()


CREATE TRIGGER resources_free_places AFTER UPDATE ON resources FOR EACH ROW
WHEN (NEW.version IS DISTINCT FROM OLD.version) EXECUTE FUNCTION note_places_freed()


CREATE TRIGGER offers_free_places AFTER UPDATE ON offers FOR EACH ROW
WHEN (OLD.origin = '' AND NEW.version IS DISTINCT FROM OLD.version) EXECUTE FUNCTION note_places_freed()
