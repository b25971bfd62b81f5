// What a client gets to see of an answer.
#pragma once

#include <cstdint>
#include <utility>

#include "io/http_transport.hpp"

namespace runctl::emulator {

enum class Delivery : std::uint8_t {
  whole,
  half,  // the connection ends in the middle of the body
  none,  // the connection ends without an answer
};

struct Reply {
  Reply(HttpResponse whole) : response{std::move(whole)} {}
  Reply(HttpResponse sent, Delivery arrives) : response{std::move(sent)}, delivery{arrives} {}

  HttpResponse response;
  Delivery delivery = Delivery::whole;
};

}  // namespace runctl::emulator
