// Backends: pick one, start it, know which it is.
export { backendNames, type BackendInfo, type BackendName, type FailedBackend } from './backend-info.js';
export { logSumExp } from './operations/log-sum-exp.js';
export { startBackend, type StartBackendOptions } from './start-backend.js';
