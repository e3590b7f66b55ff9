/* torture: options, the campaigns one after another, a summary and a line of JSON. */
#include "campaign.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: torture [--scenario NAME] [--side client|emulator] [--kind alloc|call]\n"
    "               [--mode once|on|end] [--i N] [--seconds N] [--jobs N]\n"
    "\n"
    "Fails the i-th call of each kind, for every i, in every scenario.\n"
    "  --i N        only this one\n"
    "  --seconds N  for so long altogether, every i with the same chance (0: until all are done)\n"
    "  --jobs N     runs at a time (default 4); most of a run is waiting\n";

struct choice {
  const char *scenario, *side, *kind, *mode;
  uint64_t i, seconds;
  unsigned jobs;
};

static bool chosen(const char *choice, const char *name) {
  return !choice || !*choice || strcmp(choice, name) == 0;
}

static unsigned chosen_modes(const struct choice *choice) {
  unsigned modes = 0;
  for (unsigned mode = 0; mode < FAULT_MODE_COUNT; mode++) {
    if (chosen(choice->mode, fault_mode_names[mode])) modes |= 1u << mode;
  }
  return modes;
}

static size_t plan(const struct choice *choice, struct campaign *out) {
  size_t count = 0;
  for (size_t s = 0; s < scenario_count; s++) {
    for (enum side side = SIDE_CLIENT; side < SIDE_COUNT; side++) {
      bool fits = side == SIDE_CLIENT ? scenarios[s].client : scenarios[s].server;
      if (!fits || !chosen(choice->scenario, scenarios[s].name)) continue;
      if (!chosen(choice->side, side_names[side])) continue;
      for (enum fault_kind kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        if (!chosen(choice->kind, fault_kind_names[kind])) continue;
        out[count++] = (struct campaign){.scenario = &scenarios[s],
                                         .side = side,
                                         .kind = kind,
                                         .modes = chosen_modes(choice),
                                         .only_i = choice->i,
                                         .jobs = choice->i ? 1 : choice->jobs};
      }
    }
  }
  return count;
}

static void add(struct campaign_result *sum, const struct campaign_result *result) {
  sum->calls += result->calls;
  sum->runs += result->runs;
  sum->stacks += result->stacks;
  sum->failures += result->failures;
  sum->took_ms += result->took_ms;
}

static void run(const struct campaign *campaign, struct campaign_result *sum) {
  struct campaign_result result;
  campaign_run(campaign, &result);
  printf("%-13s %-8s %-5s %6llu calls  %6llu runs with a failure in %5llu places  %3llu s  %s\n",
         campaign->scenario->name, side_names[campaign->side], fault_kind_names[campaign->kind],
         (unsigned long long)result.calls, (unsigned long long)result.runs,
         (unsigned long long)result.stacks, (unsigned long long)result.took_ms / 1000,
         result.failures ? "FAILED" : "good");
  fflush(stdout);
  add(sum, &result);
}

static int torture(const struct choice *choice) {
  struct campaign campaigns[64];
  struct campaign_result sum = {0};
  size_t count = plan(choice, campaigns);
  if (count == 0) {
    fprintf(stderr, "torture: nothing has these names\n");
    return 2;
  }
  for (size_t i = 0; i < count; i++) {
    uint64_t left = choice->seconds * 1000 > sum.took_ms ? choice->seconds * 1000 - sum.took_ms : 1;
    if (choice->seconds) campaigns[i].budget_ms = left / (count - i) + 1;
    run(&campaigns[i], &sum);
  }
  printf("{\"torture\": {\"campaigns\": %zu, \"calls\": %llu, \"runs\": %llu, \"places\": %llu, "
         "\"failures\": %llu, \"seconds\": %llu}}\n",
         count, (unsigned long long)sum.calls, (unsigned long long)sum.runs,
         (unsigned long long)sum.stacks, (unsigned long long)sum.failures,
         (unsigned long long)sum.took_ms / 1000);
  return sum.failures ? 1 : 0;
}

static bool read_options(int argc, char **argv, struct choice *out) {
  static const struct option names[] = {
      {"scenario", required_argument, NULL, 's'}, {"side", required_argument, NULL, 'S'},
      {"kind", required_argument, NULL, 'k'},     {"mode", required_argument, NULL, 'm'},
      {"i", required_argument, NULL, 'i'},        {"seconds", required_argument, NULL, 't'},
      {"jobs", required_argument, NULL, 'j'},     {0}};
  int option;
  while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (option == 's') out->scenario = optarg;
    if (option == 'S') out->side = optarg;
    if (option == 'k') out->kind = optarg;
    if (option == 'm') out->mode = optarg;
    if (option == 'i') out->i = strtoull(optarg, NULL, 10);
    if (option == 't') out->seconds = strtoull(optarg, NULL, 10);
    if (option == 'j') out->jobs = (unsigned)strtoul(optarg, NULL, 10);
    if (option == '?') return false;
  }
  return optind == argc && out->jobs >= 1 && out->jobs <= 16;
}

int main(int argc, char **argv) {
  struct choice choice = {.jobs = 4};
  if (!read_options(argc, argv, &choice)) {
    fputs(usage, stderr);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  if (!world_prepare()) {
    fprintf(stderr, "torture: no certificate could be made (openssl is needed)\n");
    return 1;
  }
  int code = torture(&choice);
  world_tidy();
  return code;
}
