DROP TABLE message_total;
DROP TABLE message_sender;
DROP TABLE message;
