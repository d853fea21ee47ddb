// Adds up test results (jest JSON, JUnit XML) and prints "N passed, N failed, N skipped" as last line.
// usage: report.mjs FILE... ; a file that is missing counts as one failure, an empty suite as one too.
import { existsSync, readFileSync } from 'node:fs';

const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  const counts = existsSync(file) ? read(file) : { passed: 0, failed: 1, skipped: 0 };
  if (counts.passed + counts.failed === 0) counts.failed = 1;
  console.log(`${file.replace(/^.*\//, '').padEnd(24)} ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  for (const key of Object.keys(total)) total[key] += counts[key];
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

function read(file) {
  const text = readFileSync(file, 'utf8');
  return file.endsWith('.xml') ? junit(text) : jest(JSON.parse(text), text);
}

function jest(result) {
  const broken = result.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0).length;
  for (const suite of result.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status === 'failed') console.log(`FAILED ${test.fullName}`);
      if (test.status === 'pending') console.log(`SKIPPED ${test.fullName}`);
    }
  }
  return { passed: result.numPassedTests, failed: result.numFailedTests + broken, skipped: result.numPendingTests };
}

// Upstream's report lists every spec of the binary; those that the focus left out are not our skips.
function junit(xml) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, head, body] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const status = /status="([^"]*)"/.exec(head)?.[1] ?? '';
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? '';
    if (status === 'skipped' || /<skipped/.test(body ?? '') || !name.startsWith('[It]')) continue;
    if (status === 'passed') counts.passed += 1;
    else {
      counts.failed += 1;
      console.log(`FAILED ${name}`);
    }
  }
  return counts;
}
