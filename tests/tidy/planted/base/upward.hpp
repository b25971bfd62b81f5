// Planted: base must not know volume. The test layers_planted_violation expects the layer check to say so.
#include "volume/plan.hpp"
