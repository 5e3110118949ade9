// Reward functions of the tasks.
export { kodCodeProgram, kodCodeReward, modulesBeyondSandbox, type KodCodeRewardOptions } from './kodcode-reward.js';
export { mathReward } from './math-reward.js';
export { answerFormatReward, answerPresetReward, answerReward } from './search-reward.js';
