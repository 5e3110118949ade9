// Rollouts in worker threads.
export { reasonerPlayer, type ExportedPart, type ReasonerPlayerOptions } from './reasoner-player-module.js';
export type { CreateRolloutPlayer, RolloutPlayer, RolloutPlayerModule } from './rollout-player.js';
export { RolloutWorkers, type RolloutRequest, type RolloutWorkersOptions } from './rollout-workers.js';
