// Where the hub and its cache are: options first, then the environment variables of the Hugging Face tools.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { MemGenError } from '@memgen/common';

/** Environment variables by name. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Options of everything that uses the hub. */
export interface HubOptions {
  /** Address of the hub. @default HF_ENDPOINT, else https://huggingface.co */
  endpoint?: string | undefined;
  /** Cache shared with the Python tools. @default HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub */
  cacheFolder?: string | undefined;
  /** Access token; never shown. @default HF_TOKEN, else the file that `hf auth login` writes */
  token?: string | undefined;
  /** Use the cache alone. @default HF_HUB_OFFLINE */
  offline?: boolean | undefined;
  /** @default process.env */
  environment?: Environment | undefined;
}

/** The options with everything filled in. */
export interface HubSettings {
  /** Without a slash at its end. */
  endpoint: string;
  cacheFolder: string;
  token: string | undefined;
  offline: boolean;
}

/** @throws MemGenError `hub-endpoint`, `hub-token`. */
export async function readHubSettings({
  environment = process.env,
  endpoint = environment.HF_ENDPOINT || 'https://huggingface.co',
  cacheFolder = defaultCacheFolder(environment),
  token,
  offline = isOn(environment.HF_HUB_OFFLINE) || isOn(environment.TRANSFORMERS_OFFLINE),
}: HubOptions = {}): Promise<HubSettings> {
  return {
    endpoint: checkEndpoint(endpoint),
    cacheFolder: resolve(expandHome(cacheFolder)),
    token: checkToken(token ?? environment.HF_TOKEN ?? (await readTokenFile(environment))),
    offline,
  };
}

/** `~` at the start of a path is the home folder, as a shell has it. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

function defaultCacheFolder(environment: Environment): string {
  return environment.HF_HUB_CACHE || environment.HUGGINGFACE_HUB_CACHE || join(homeOfTools(environment), 'hub');
}

function homeOfTools(environment: Environment): string {
  return environment.HF_HOME || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && ['1', 'on', 'yes', 'true'].includes(value.toLowerCase());
}

async function readTokenFile(environment: Environment): Promise<string | undefined> {
  const path = expandHome(environment.HF_TOKEN_PATH || join(homeOfTools(environment), 'token'));
  // Most people have none; one that cannot be read counts as none, and the hub then says what it needs.
  return readFile(path, 'utf8').catch(() => undefined);
}

/** An unsuitable token must be refused here: fetch would quote it in its own error. */
function checkToken(token: string | undefined): string | undefined {
  const trimmed = token?.trim() ?? '';
  if (trimmed === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new MemGenError({
    code: 'hub-token',
    message: 'the access token holds characters that no token has',
    hint: 'copy it again from the settings of your account on the hub',
  });
}

function checkEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPlain =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.password + url.search === '';
  if (isPlain) return endpoint.replace(/\/+$/, '');
  throw new MemGenError({
    code: 'hub-endpoint',
    message: 'the address of the hub is wrong',
    expected: 'an http or https address without a user name, for example https://huggingface.co',
    hint: 'correct HF_ENDPOINT or the endpoint option; an access token belongs into HF_TOKEN',
  });
}
