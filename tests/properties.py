"""How hypothesis judges the property tests."""

import hypothesis

# A busy machine is not a wrong result: no test passes or fails by the time that one example took.
hypothesis.settings.register_profile("maillage", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("maillage")
