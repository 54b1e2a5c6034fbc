/**
 * A self-signed certificate with a key made on the spot: no private key is ever stored. DER by hand (X.690), RFC 5280 section 4.1.
 */

import { createSign, generateKeyPairSync } from 'node:crypto';

const tlv = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
};
const sequence = (...parts: Uint8Array[]) => tlv(0x30, ...parts);
const hex = (text: string) => Buffer.from(text, 'hex');

const COMMON_NAME = hex('0603550403');
const SIGNED_BY = {
  ec: sequence(hex('06082a8648ce3d040302')),
  rsa: sequence(hex('06092a864886f70d01010b'), hex('0500')),
};

export function certificate(kind: 'ec' | 'rsa', name: string): { key: string; cert: string } {
  const { privateKey, publicKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const algorithm = SIGNED_BY[kind];
  const who = sequence(tlv(0x31, sequence(COMMON_NAME, tlv(0x0c, Buffer.from(name)))));
  const validity = sequence(tlv(0x17, Buffer.from('200101000000Z')), tlv(0x17, Buffer.from('491231235959Z')));
  const version = tlv(0xa0, hex('020102'));
  const serial = hex('020101');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const toBeSigned = sequence(version, serial, algorithm, who, validity, who, spki);
  const signature = createSign('sha256').update(toBeSigned).sign(privateKey);
  const whole = sequence(toBeSigned, algorithm, tlv(0x03, hex('00'), signature));
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
