#include "emulator/perform.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace runctl::emulator {
namespace {

ec2::Report from(Result<void> result) {
  if (result) return {};
  return {.error = std::move(result).error()};
}

ec2::Report act(Hardware& hardware, const ec2::CreateDisk& order, const std::stop_token&) {
  auto created = hardware.disks->create(order.volume, order.size, order.source);
  // Ids are never given twice: what is there was left by an attempt that a crash cut short.
  if (!created && created.error().code == Errc::conflict) {
    if (auto removed = hardware.disks->remove(order.volume); !removed)
      return from(std::move(removed));
    created = hardware.disks->create(order.volume, order.size, order.source);
  }
  return from(std::move(created));
}

// A machine that has the volume sees its new size without a reboot, as on EC2.
ec2::Report act(Hardware& hardware, const ec2::ResizeDisk& order, const std::stop_token&) {
  if (auto grown = hardware.disks->grow(order.volume, order.size); !grown)
    return from(std::move(grown));
  return from(hardware.machines->show_size(order.volume));
}

ec2::Report act(Hardware& hardware, const ec2::RemoveDisk& order, const std::stop_token&) {
  return from(hardware.disks->remove(order.volume));
}

ec2::Report act(Hardware& hardware, const ec2::Capture& order, const std::stop_token&) {
  return from(hardware.disks->snapshot(order.snapshot, order.volume));
}

ec2::Report act(Hardware& hardware, const ec2::RemoveCapture& order, const std::stop_token&) {
  return from(hardware.disks->remove(order.snapshot));
}

ec2::Report act(Hardware& hardware, const ec2::Plug& order, const std::stop_token&) {
  auto plugged = hardware.machines->plug(order.volume, order.instance);
  if (plugged) return {};
  return {.error = std::move(plugged).error()};
}

ec2::Report act(Hardware& hardware, const ec2::Unplug& order, const std::stop_token&) {
  auto unplugged = hardware.machines->unplug(order.volume, order.instance);
  if (unplugged) return {.unplugged = *unplugged};
  return {.error = std::move(unplugged).error()};
}

ec2::Report act(Hardware& hardware, const ec2::Boot& order, const std::stop_token&) {
  return from(hardware.machines->boot(order.instance));
}

ec2::Report act(Hardware& hardware, const ec2::Reboot& order, const std::stop_token&) {
  if (auto halted = hardware.machines->halt(order.instance, Machines::Files::keep); !halted)
    return from(std::move(halted));
  return from(hardware.machines->boot(order.instance));
}

ec2::Report act(Hardware& hardware, const ec2::CutPower& order, const std::stop_token&) {
  return from(hardware.machines->cut_power(order.instance));
}

ec2::Report act(Hardware& hardware, const ec2::Halt& order, const std::stop_token&) {
  return from(hardware.machines->halt(order.instance, order.files));
}

ec2::Report act(Hardware& hardware, const ec2::RunCommand& order, const std::stop_token& stop) {
  auto outcome = hardware.machines->run(order.instance, order.script, stop);
  if (!outcome) return {.error = std::move(outcome).error()};
  outcome->out = as_utf8(outcome->out);
  outcome->err = as_utf8(outcome->err);
  return {.outcome = *std::move(outcome)};
}

// Whoever runs the command ends it: see Cloud.
ec2::Report act(Hardware&, const ec2::StopCommand&, const std::stop_token&) { return {}; }

// How many bytes of a well-formed character start `bytes`; 0 for none.
// Source: The Unicode Standard, table 3-7.
std::size_t character_at(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < size) return 0;
  unsigned least = 0x80;
  unsigned most = 0xBF;
  if (first == 0xE0) least = 0xA0;
  if (first == 0xED) most = 0x9F;
  if (first == 0xF0) least = 0x90;
  if (first == 0xF4) most = 0x8F;
  if (byte(1) < least || byte(1) > most) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return size;
}

}  // namespace

ec2::Report perform_order(Hardware& hardware, const ec2::Order& order,
                          const std::stop_token& stop) {
  return std::visit([&](const auto& known) { return act(hardware, known, stop); }, order);
}

std::string as_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = character_at(bytes);
    text += size == 0 ? std::string_view{"\xEF\xBF\xBD"} : bytes.substr(0, size);
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return text;
}

}  // namespace runctl::emulator
