// A Jinja interpreter that counts its work: a template of unknown origin can neither run on nor grow without end.
import { Interpreter } from '@huggingface/jinja';

type Evaluate = Interpreter['evaluate'];
type Node = NonNullable<Parameters<Evaluate>[0]>;

/**
 * One unit for each node of the template that is evaluated, and one for each 16 characters or items that come out of it.
 * The longest published templates take about 300 units for a message and its length once or twice.
 */
const mostWork = 2 ** 22;
const sizePerUnit = 16;

/** A context of a million tokens has about 4 million characters. */
const longestText = 2 ** 22;
const mostItems = 2 ** 18;

/** Expressions and blocks inside one another; the stack holds about twice as many. */
const deepestNesting = 400;

/** Filters that can be told to insert any number of spaces, and what nobody needs more of. */
const indenting: ReadonlySet<string> = new Set(['indent', 'tojson']);
const widestIndent = 1000;

/** Throws an ordinary error when a template asks for too much. */
export class BoundedInterpreter extends Interpreter {
  private work = 0;
  private depth = 0;

  override evaluate(...[node, environment]: Parameters<Evaluate>): ReturnType<Evaluate> {
    if (this.depth >= deepestNesting) throw new Error(`the template nests deeper than ${deepestNesting} levels`);
    this.depth++;
    try {
      if (node !== undefined) this.checkIndent(node, environment);
      const value = super.evaluate(node, environment);
      this.count(value.value);
      return value;
    } finally {
      // Also when a loop is left by an exception, which is how the library does it.
      this.depth--;
    }
  }

  private count(value: unknown): void {
    const size = sizeOf(value);
    this.work += 1 + size / sizePerUnit;
    if (size > (typeof value === 'string' ? longestText : mostItems)) {
      throw new Error(`the template makes a value of ${size} characters or items`);
    }
    if (this.work > mostWork) throw new Error('the template does not come to an end');
  }

  private checkIndent(node: Node, environment: Parameters<Evaluate>[1]): void {
    if (!('filter' in node)) return;
    const { filter } = node as { filter: { callee?: { value?: unknown }; args?: readonly Node[] } };
    if (!indenting.has(String(filter.callee?.value))) return;
    for (const argument of filter.args ?? []) {
      const given = 'value' in argument && argument.type === 'KeywordArgumentExpression' ? argument.value : argument;
      const { value } = this.evaluate(given as Node, environment);
      if (typeof value === 'number' && value > widestIndent) throw new Error(`an indent of ${value} spaces`);
    }
  }
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 0;
}
