// Planted: what tests/tidy/planted/base/upward.hpp includes against the rules.
