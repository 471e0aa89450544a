#!/usr/bin/env python3
"""The conversations of README.md with the real server that infra/stack has started."""
import json
import os
import re
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path
from urllib.parse import urlparse

HERE = Path(__file__).resolve().parent
STACK = HERE.parents[2] / 'infra' / 'stack' / 'nats'
SECONDS = {'s': 1, 'm': 60}


class Connection:
    """As much of the protocol as the conversations need."""

    def __init__(self, url):
        self.url = urlparse(url)
        self.inboxes = 0
        self.connect()

    def connect(self):
        self.socket = socket.create_connection((self.url.hostname, self.url.port), timeout=10)
        self.file = self.socket.makefile('rb')
        self.file.readline()  # INFO
        options = {'verbose': False, 'headers': True, 'user': self.url.username, 'pass': self.url.password}
        self.send(b'CONNECT ' + json.dumps(options).encode() + b'\r\nPING\r\n')
        self.read_until(lambda line: line.startswith(b'PONG'))

    def send(self, data):
        self.socket.sendall(data)

    def read_until(self, good):
        """Lines up to a good one; messages are (reply, header, body), and good when good(None)."""
        while True:
            line = self.file.readline()
            if not line:
                raise EOFError('the server closed the connection')
            words = line.split()
            if words[0] == b'PING':
                self.send(b'PONG\r\n')
            elif words[0] in (b'MSG', b'HMSG'):
                sizes = 2 if words[0] == b'HMSG' else 1
                reply = words[3].decode() if len(words) == 4 + sizes else ''
                data = self.file.read(int(words[-1]) + 2)[:-2]
                header = data[:int(words[-2])] if sizes == 2 else b''
                if good(None):
                    return reply, header, data[len(header):]
            elif good(line):
                return line

    def publish(self, subject, body=b'', reply='', header=''):
        if header:
            head = f'NATS/1.0\r\n{header}\r\n\r\n'.encode()
            line = f'HPUB {subject} {reply} {len(head)} {len(head) + len(body)}\r\n'.encode()
            self.send(line + head + body + b'\r\n')
        else:
            self.send(f'PUB {subject} {reply} {len(body)}\r\n'.encode() + body + b'\r\n')

    def ask(self, subject, body=b'', header=''):
        """The answer; nothing when it is a status, as when there are no messages."""
        self.inboxes += 1
        inbox = f'inbox.{os.getpid()}.{self.inboxes}'
        self.send(f'SUB {inbox} {self.inboxes}\r\n'.encode())
        self.publish(subject, body, inbox, header)
        message = self.read_until(lambda line: line is None)
        self.send(f'UNSUB {self.inboxes}\r\n'.encode())
        return None if message[1].startswith(b'NATS/1.0 ') else message

    def call(self, subject, request=None):
        _, _, body = self.ask(subject, json.dumps(request).encode() if request is not None else b'')
        answer = json.loads(body)
        if 'error' in answer:
            raise RuntimeError(f'{subject}: {answer["error"]}')
        return answer


def nanoseconds(text):
    number, unit = re.fullmatch(r'(\d+)([sm])', text).groups()
    return int(number) * SECONDS[unit] * 1_000_000_000


class Conversation:
    def __init__(self, connection, name):
        self.nats = connection
        self.name = name
        self.deliveries = {}

    def say(self, line):
        command, *words = line.split()
        settings = dict(word.split('=') for word in words if '=' in word)
        return getattr(self, command)(*([settings] if settings else words)) or ''

    def stream(self, settings):
        limits = {'max_msgs': int(settings['max']) or -1, 'discard': 'new', 'duplicate_window': nanoseconds(settings['window'])}
        config = {'name': self.name, 'subjects': [self.name], 'storage': 'file', 'num_replicas': 1, **limits}
        self.nats.call(f'$JS.API.STREAM.CREATE.{self.name}', config)

    def consumer(self, settings):
        config = {'durable_name': 'group', 'ack_policy': 'explicit', 'ack_wait': nanoseconds(settings['ack_wait']),
                  'max_ack_pending': int(settings['pending']) or 1000, 'max_deliver': int(settings['deliveries']) or -1}
        request = {'stream_name': self.name, 'config': config}
        self.nats.call(f'$JS.API.CONSUMER.DURABLE.CREATE.{self.name}.group', request)

    def publish(self, message):
        _, _, body = self.nats.ask(self.name, message.encode(), f'Nats-Msg-Id: {message}')
        answer = json.loads(body)
        if 'error' in answer:
            return 'full' if 'maximum messages' in answer['error']['description'] else str(answer)
        return ('duplicate of ' if answer.get('duplicate') else '') + str(answer['seq'])

    def fetch(self, count):
        # With no_wait instead, a consumer that has too much out would not answer.
        request = json.dumps({'batch': 1, 'expires': 150_000_000}).encode()
        words = []
        for _ in range(int(count)):
            found = self.nats.ask(f'$JS.API.CONSUMER.MSG.NEXT.{self.name}.group', request)
            if found is None:
                break
            reply, _, body = found
            message, attempt = body.decode(), reply.split('.')[4]
            self.deliveries.setdefault(message, []).append(reply)
            words.append(message if attempt == '1' else f'{message}*{attempt}')
        return ' '.join(words) or 'nothing'

    def settle(self, which, what):
        message, number = which.split('#')
        self.nats.ask(self.deliveries[message][int(number) - 1], what)
        return 'ok'

    def ack(self, which):
        return self.settle(which, b'+ACK')

    def progress(self, which):
        return self.settle(which, b'+WPI')

    def nak(self, which):
        return self.settle(which, b'-NAK')

    def info(self):
        info = self.nats.call(f'$JS.API.CONSUMER.INFO.{self.name}.group')
        return f'waiting {info["num_pending"]} out {info["num_ack_pending"]}'

    def wait(self, milliseconds):
        time.sleep(int(milliseconds) / 1000)

    def crash(self):
        folder = os.environ['RUSHPROOF_NATS_FOLDER']
        subprocess.run([STACK / 'stop', folder, '--crash'], check=True)
        subprocess.run([STACK / 'restart', folder], check=True)
        self.nats.connect()


class Nats(unittest.TestCase):
    def test_conversations(self):
        connection = Connection(os.environ['RUSHPROOF_NATS_URL'])
        files = sorted((HERE / 'nats').glob('*.txt'))
        self.assertGreaterEqual(len(files), 6)
        for file in files:
            conversation = Conversation(connection, file.stem)
            for line in file.read_text().splitlines():
                if not line or line.startswith('#'):
                    continue
                command, _, expected = line.partition(' -> ')
                with self.subTest(file=file.name, line=line):
                    self.assertEqual(conversation.say(command), expected)


if __name__ == '__main__':
    if 'RUSHPROOF_NATS_URL' not in os.environ:
        print('no NATS here: run it under infra/stack/stack run nats --')
        sys.exit(77)
    unittest.main()
