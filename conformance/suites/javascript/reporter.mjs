// Reports each test of a run, though not the groups that they stand in, as a line of JSON: its name
// after those of its file and groups, how it ended, and what it said if that was not well.
import { basename } from 'node:path';

export default async function* reporter(events) {
  const groups = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') groups[data.nesting] = data.name;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const error = data.details.error;
    // A group fails with its tests, which are told, or by itself, without running them.
    const byItself = error && error.failureType !== 'subtestsFailed';
    if (data.details.type === 'suite' && !byItself) continue;
    const names = [basename(data.file ?? data.name)];
    if (data.name !== data.file) names.push(...groups.slice(0, data.nesting), data.name);
    yield `${JSON.stringify({
      name: names.join(' > '),
      result: data.skip === undefined && data.todo === undefined ? type.slice(5) : 'skip',
      output: error ? String(error.cause?.stack ?? error.cause ?? error) : '',
    })}\n`;
  }
}
