import { expect, it } from 'vitest';
import { IssueLog, inWords } from '../../src/evidence/issue.js';

it('says each kind of fault once, with the place of the first and how many there are', () => {
  const log = new IssueLog(2);
  log.add('damaged', 'The file is damaged here.', { packet: 20, offset: 5125 });
  for (let packet = 30; packet < 44; packet++) log.add('cut', `A header of packet ${packet} is cut.`, { packet });
  expect(inWords(log.issues, log.counts)).toEqual([
    'The file is damaged here (packet 20, octet 5125)',
    'A header of packet 30 is cut (packet 30, and 13 more)',
  ]);
  expect(inWords(log.issues, log.counts, false)).toEqual([
    'The file is damaged here',
    'A header of packet 30 is cut (and 13 more)',
  ]);
});

it('leaves a text without a place as it is', () => {
  const log = new IssueLog();
  log.add('version', 'An old version');
  expect(inWords(log.issues, log.counts)).toEqual(['An old version']);
});
