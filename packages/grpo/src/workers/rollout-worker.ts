// The thread of a rollout worker: makes its player, then plays the shards that it is given.
import { parentPort, workerData } from 'node:worker_threads';
import { MemGenError } from '@memgen/common';
import type { CreateRolloutPlayer } from './rollout-player.js';
import { ShardPlayer } from './shard-player.js';
import { sendable, type Shard, type WorkerReply, type WorkerRequest, type WorkerSettings } from './worker-messages.js';

const port = parentPort!;
const reply = (message: WorkerReply) => {
  port.postMessage(message);
};

async function createPlayer({ module, data }: WorkerSettings): Promise<ShardPlayer> {
  const { createRolloutPlayer } = (await import(module)) as { createRolloutPlayer?: CreateRolloutPlayer };
  if (typeof createRolloutPlayer === 'function') return new ShardPlayer(await createRolloutPlayer(data));
  throw new MemGenError({
    code: 'rollout-player',
    where: module,
    message: 'the module makes no player',
    got: typeof createRolloutPlayer,
    expected: 'an exported function createRolloutPlayer(data)',
  });
}

function listen(player: ShardPlayer): void {
  let running = new AbortController();
  const play = async (id: number, shard: Shard) => {
    running = new AbortController();
    try {
      reply({ kind: 'played', id, episodes: await player.play(shard, running.signal) });
    } catch (error) {
      reply({ kind: 'failed', id, error: sendable(error) });
    }
  };
  port.on('message', (request: WorkerRequest) => {
    if (request.kind === 'play') void play(request.id, request.shard);
    else if (request.kind === 'abort') running.abort();
    else {
      // The thread is ended afterwards, whatever became of it.
      const finish = () => {
        reply({ kind: 'disposed' });
      };
      player.dispose().then(finish, finish);
    }
  });
}

try {
  const player = await createPlayer(workerData as WorkerSettings);
  const { facts } = player;
  listen(player);
  reply({ kind: 'ready', facts });
} catch (error) {
  reply({ kind: 'not-started', error: sendable(error) });
}
