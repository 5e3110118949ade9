// Environments that are made as they are needed and used again.
import { MemGenError, type Environment } from '@memgen/common';

export class EnvironmentShelf<Task> {
  private readonly environments: Environment<Task>[] = [];

  constructor(private readonly create: (() => Environment<Task>) | undefined) {}

  /**
   * The first `count`, in the same order at every call.
   * @throws MemGenError `episode-environment` if nobody said how to make one.
   */
  take(count: number): Environment<Task>[] {
    while (this.environments.length < count) this.environments.push(this.make());
    return this.environments.slice(0, count);
  }

  /** Disposes all that were made; others can be taken afterwards. */
  async dispose(): Promise<void> {
    await Promise.all(this.environments.splice(0).map((environment) => environment.dispose()));
  }

  private make(): Environment<Task> {
    if (this.create !== undefined) return this.create();
    throw new MemGenError({
      code: 'episode-environment',
      message: 'tasks of many turns need an environment, and nothing makes one',
      hint: 'give `environment`, a function that makes one, beside the tasks, or in the player where workers play them',
    });
  }
}
